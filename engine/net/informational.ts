/** A server can announce its answer with informational responses (1xx), and each of them restarts the time limit. */

/** As many as Go's HTTP client accepts. */
const RESPONSES_MAX = 5;

/** For the `onInfo` of a request: throws what `refuse` creates if the server sends too many. */
export function limitInformational(refuse: (what: string) => Error): () => void {
  let responses = 0;
  return () => {
    responses++;
    if (responses > RESPONSES_MAX)
      throw refuse(`more than ${RESPONSES_MAX} informational responses (1xx), and no answer`);
  };
}
