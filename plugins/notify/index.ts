/** Tells a webhook, or the system's log, what happens in the run; whatever comes of that, the run goes on. */
import type { Sdk } from '../../engine/node/sdk.ts';

export const input = {
  type: 'object',
  properties: {
    webhook: {
      type: 'string',
      pattern: '^https://',
      'x-form': 'begin with https://',
      description: 'Address that each event is sent to, as JSON by POST',
    },
    headers: {
      type: 'object',
      additionalProperties: { type: 'string', writeOnly: true },
      default: {},
      description: 'Headers of that call; shown nowhere',
    },
    ca: {
      type: 'string',
      description: 'Certificates that vouch for its server, PEM; left out: those this machine trusts',
    },
    log: {
      type: 'boolean',
      default: false,
      description: "Write each event to the system's log (journalctl -t joinery)",
    },
    events: {
      enum: ['all', 'end'],
      default: 'end',
      description: 'Whether each step is told, or only how the run ends',
    },
  },
  additionalProperties: false,
} as const;

export const notify = (sdk: Sdk) =>
  sdk.definePhase({
    name: 'notify',
    summary: "Tell a webhook, or the system's log, what happens in this run",
    input,
    output: { type: 'object' },
    effects: [sdk.httpCalls('{webhook}', 'each event'), sdk.runs('logger', 'each event, where log is true')],

    /** From here on it is told: see `onEvent`. */
    async run({ commands, log }, { webhook, log: toLog }) {
      if (webhook === undefined && !toLog) log.warn('nobody is told anything: give webhook, or log: true');
      if (toLog && (await commands.find('logger')) === undefined)
        log.warn('logger is not on PATH, so nothing is logged');
      return {};
    },

    async onEvent({ web, commands }, { webhook, headers, ca, log, events }, event) {
      if (events === 'end' && event.type !== 'run.ended') return;
      const { type, run, step, status, error } = event;
      const words = [type, step, status, error && `${error.code} ${error.message}`].filter(
        (word) => word !== undefined,
      );
      if (log) {
        const text = sdk.clean(`run ${run}: ${words.join(' ')}`);
        await commands.run(['logger', '-t', 'joinery', '--', text], { irreversible: 'it is in the log' });
      }
      if (webhook === undefined) return;
      const body = JSON.stringify({ apiVersion: 'joinery.dev/v1', kind: 'RunEvent', ...event });
      const call = {
        method: 'POST',
        url: webhook,
        headers: { 'content-type': 'application/json', ...headers },
        body,
      } as const;
      await web.call({ ...call, ...(ca === undefined ? {} : { ca }) }, 'it was told');
    },
  });

export default (sdk: Sdk) => sdk.definePlugin({ phases: [notify(sdk)] });
