/** Scripts that run on a machine of the fleet. They need a POSIX shell and the programs of coreutils or BusyBox. */

/** Prints the user's number and name, the architecture and the host name, each on a line. */
export const REACH = 'id -u && id -un && uname -m && uname -n';

/**
 * Reads a file from standard input, unless the machine has it already: the arguments are its path, its SHA-256 and its
 * mode. It replaces the file in one step, and prints `same` or `changed`. Standard error says why it failed.
 *
 * The folder and all folders above it must belong to the user, or to root, and only they may write to them.
 */
export const PUT = `set -eu
path=$1 digest=$2 mode=$3 folder=\${1%/*}
umask 022
mkdir -p "$folder"
above=$folder
while [ -n "$above" ]; do
  loose=$(find -L "$above" -maxdepth 0 \\( ! -user 0 ! -user "$(id -u)" -o ! -perm -1000 \\( -perm -020 -o -perm -002 \\) \\))
  [ -z "$loose" ] || { echo "other users can change the folder $above" >&2; exit 1; }
  above=\${above%/*}
done
sum() { sha256sum "$1" 2>/dev/null | cut -d ' ' -f 1; }
if [ -f "$path" ] && [ ! -L "$path" ] && [ "$(sum "$path")" = "$digest" ]; then
  chmod "$mode" "$path"
  echo same
  exit
fi
new=$(mktemp "$folder/.new.XXXXXX")
trap 'rm -f "$new"' EXIT
cat > "$new"
[ "$(sum "$new")" = "$digest" ] || { echo "the file did not arrive complete" >&2; exit 1; }
chmod "$mode" "$new"
sync "$new" 2>/dev/null || sync
mv -f "$new" "$path"
echo changed`;
