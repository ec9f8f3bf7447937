/**
 * Where the simulator tells what happens: rows of `model/event.ts`, as every engine does. The
 * whole simulation is one process, number 0.
 */
export interface Recorder {
  write(
    at: number,
    kind: number,
    instance: number,
    end: number,
    exchange: number,
    a: number,
    b: number,
    c: number,
  ): void;
}
