/**
 * An event writer that keeps nothing: what a run costs without its books, for the bench that
 * measures what they cost.
 */
import { EventWriter } from '../../stream/columns.ts';

export class NoEvents extends EventWriter {
  constructor(process: number) {
    super(process, () => {});
  }

  override write(): void {}
}
