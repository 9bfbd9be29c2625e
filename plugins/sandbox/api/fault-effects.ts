/** The effect of each kind of fault: what networks, proxies and overloaded servers do to a client. */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  sendChanged,
  sendCut,
  sendDrip,
  sendEndless,
  sendHalf,
  sendHuge,
  sendInformational,
  sendOwnResponse,
} from './broken-answers.ts';
import type { Behaviour, Effect, Fault } from './fault.ts';
import { resourceNamed } from './resources.ts';
import { sendAnswer, sendText } from './respond.ts';
import { expired, forbidden, internalError, tooManyRequests, unauthorized, unavailable } from './status.ts';

const JSON_TYPE = 'application/json';

const onWatches = ({ url }: { url: URL }): boolean => url.searchParams.get('watch') === 'true';
const refuse = (status: (fault: Fault) => Error) => (_: ServerResponse, fault: Fault) => {
  throw status(fault);
};

export const effects: Record<Effect, Behaviour> = {
  latency: {
    async before(_, { latencyMs = 1000, until }, signal) {
      await (until ?? sleep(latencyMs, undefined, { signal }));
    },
  },
  reset: { before: (response) => void response.destroy() },
  tooManyRequests: { before: refuse(({ retryAfterSeconds = 1 }) => tooManyRequests(retryAfterSeconds)) },
  internalError: { before: refuse(() => internalError('a fault of the sandbox')) },
  unavailable: { before: refuse(unavailable) },
  unauthorized: { before: refuse(unauthorized) },
  forbidden: { before: refuse(() => forbidden(resourceNamed('nodes'), '', 'a fault of the sandbox')) },
  gone: { before: refuse(() => expired(1, 2)), matches: onWatches },
  truncated: { send: sendHalf },
  cut: { send: sendCut },
  drip: { send: sendDrip },
  notJson: {
    send: (response) => sendText(response, 200, 'text/html', '<html><body>Sign in to the network</body></html>\n'),
  },
  huge: { send: sendHuge },
  endless: { send: sendEndless },
  early: {
    send(response, answer) {
      response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
      response.writeProcessing();
      sendAnswer(response, answer);
    },
  },
  informational: { send: sendInformational },
  headers: {
    send(response, answer, { headers }) {
      setHeaders(response, headers);
      sendAnswer(response, answer);
    },
  },
  changed: { send: sendChanged },
  instead: {
    send(response, _, fault) {
      setHeaders(response, fault.headers);
      sendOwnResponse(response, fault);
    },
  },
  forged: {
    send: (response, _, { body }) => sendText(response, 200, JSON_TYPE, JSON.stringify(body)),
    matches: ({ anonymous }) => anonymous,
  },
  watchEnds: { send: (response) => sendText(response, 200, JSON_TYPE, ''), matches: onWatches },
  watchExpired: {
    send: (response) =>
      sendText(response, 200, JSON_TYPE, `${JSON.stringify({ type: 'ERROR', object: expired(1, 2).status })}\n`),
    matches: onWatches,
  },
};

function setHeaders(response: ServerResponse, headers: Fault['headers'] = {}): void {
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value);
    else {
      response.removeHeader(name);
      if (name === 'Date') response.sendDate = false; // else Node.js would add its own
    }
  }
}
