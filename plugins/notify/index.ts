/** Sends the events of a run to a webhook or to the system log. A failure to send never stops the run. */
import type { Sdk } from '../../engine/node/sdk.ts';

export const input = {
  type: 'object',
  properties: {
    webhook: {
      type: 'string',
      pattern: '^https://',
      'x-form': 'begin with https://',
      description: 'URL to which each event is sent, as JSON by POST',
    },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string', writeOnly: true },
      default: {},
      description: 'Headers of that request; never shown',
    },
    ca: {
      type: 'string',
      description: 'CA certificates for its server, PEM (default: those that this machine trusts)',
    },
    log: {
      type: 'boolean',
      default: false,
      description: 'Write each event to the system log (journalctl -t joinery)',
    },
    events: {
      enum: ['all', 'end'],
      default: 'end',
      description: 'Events to send: all, or only the end of the run',
    },
  },
  additionalProperties: false,
} as const;

export const notify = (sdk: Sdk) =>
  sdk.definePhase({
    name: 'notify',
    summary: 'Send the events of this run to a webhook or to the system log',
    input,
    output: { type: 'object' },
    effects: [sdk.httpCalls('{webhook}', 'each event'), sdk.runs('logger', 'each event, if log is true')],

    /** Events arrive from here on, in `onEvent`. */
    async run({ commands, log }, { webhook, log: toLog }) {
      if (webhook === undefined && !toLog) log.warn('no events are sent: set webhook or log: true');
      if (toLog && (await commands.find('logger')) === undefined)
        log.warn('logger is not on PATH, so no events are logged');
      return {};
    },

    async onEvent({ web, commands }, { webhook, headers, ca, log, events }, event) {
      if (events === 'end' && event.type !== 'run.ended') return;
      const { type, run, step, status, error } = { step: undefined, status: undefined, error: undefined, ...event };
      const words = [type, step, status, error && `${error.code} ${error.message}`].filter(
        (word) => word !== undefined,
      );
      if (log) {
        const text = sdk.clean(`run ${run}: ${words.join(' ')}`);
        await commands.run(['logger', '-t', 'joinery', '--', text], { irreversible: 'the event is in the log' });
      }
      if (webhook === undefined) return;
      const body = JSON.stringify(event);
      const call = {
        method: 'POST',
        url: webhook,
        headers: { 'content-type': 'application/json', ...headers },
        body,
      } as const;
      await web.call({ ...call, ...(ca === undefined ? {} : { ca }) }, 'the event was sent');
    },
  });

export default (sdk: Sdk) => sdk.definePlugin({ phases: [notify(sdk)] });
