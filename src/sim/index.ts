/** The simulator: topologies lived through in simulated time. */
export type { EventQueue } from './engine/event-queue.ts';
export { HeapQueue } from './engine/heap-queue.ts';
export { WheelQueue } from './engine/wheel-queue.ts';
export type { Recorder } from './recorder.ts';
export { Simulation, type SimulationOptions } from './simulation.ts';
