/** Brings a service to the given state. */
import { controls, definePhase, fail } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'service',
  summary: 'Start, stop, enable or mask a service',
  input,
  output,
  effects: [
    controls(
      '{name}',
      ['start', 'stop', 'restart', 'reload', 'reload-service', 'enable', 'disable', 'mask', 'unmask'],
      'as the inputs say',
    ),
  ],

  async run({ services }, { name, state, enabled, masked, restart, reload, daemonReload }) {
    const problems = [];
    if (state === 'stopped' && (restart || reload)) problems.push('a stopped service cannot be restarted or reloaded');
    if (masked === true && (state === 'started' || enabled === true || restart))
      problems.push('a masked service cannot be started or enabled');
    if (problems.length > 0) throw fail('E_PHASE_INPUT', { phase: 'service', problems });

    if (daemonReload) await services.reload(name);
    const { exists, masked: isMasked = false, manager, active } = await services.status(name);
    if ((!exists && !isMasked) || manager === 'none') throw fail('E_SERVICE_MISSING', { service: name, manager });
    if (masked === false) await services.mask(name, false);
    if (state === 'stopped') await services.stop(name);
    if (enabled !== undefined) await services.enable(name, enabled);
    if (masked === true) await services.mask(name, true);
    if (restart) await services.restart(name);
    else if (reload && active) await services.reloadService(name);
    if (state === 'started') await services.start(name);
    return {};
  },
});
