#!/bin/sh
# Runs where an admin kubeconfig of the cluster is: prepares a folder to carry to machines without internet access.
# Arguments: the folder of the release, the folder to prepare, the API server address.
set -eu
release=$1 folder=$2 endpoint=$3
mkdir -p "$folder"
cp "$release"/joinery-*-linux-x64 "$release/SHA256SUMS" "$folder"
(umask 077 && joinery token create --ttl 24h >"$folder/token")
cat >"$folder/join.env" <<EOF
JOINERY_ENDPOINT=$endpoint
JOINERY_DISCOVERY_TOKEN_CA_CERT_HASH=$(joinery ca-hash "${KUBECONFIG:-/etc/kubernetes/admin.conf}")
EOF
