export { SimulatedTime } from '../../engine/testing/simulated-time.ts';
