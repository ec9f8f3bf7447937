/**
 * The app's table, in one place for both databases: real MariaDB is filled with this SQL, the
 * embedded database computes the same rows. The two statements are what the app prepares.
 *
 * The embedded table keeps only the last INSERTED_MAX inserted rows: a run inserts without end,
 * and nobody reads so far back. Nothing is ever deleted or updated.
 */

export const DATABASE_NAME = 'waterhammer';
export const SELECT_ITEM = 'SELECT id, name, price FROM items WHERE id = ?';
/** A select of the same under a text of its own, as an app has that writes values into its SQL. */
export const selectItem = (text: number): string =>
  text === 0 ? SELECT_ITEM : `${SELECT_ITEM} /* ${text} */`;
export const INSERT_ITEM = 'INSERT INTO items (name, price) VALUES (?, ?)';
export const CREATE_ITEMS =
  'CREATE TABLE IF NOT EXISTS items ' +
  '(id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255), price INT) CHARACTER SET utf8mb4';

/** Items with ids 1 .. ITEM_COUNT are there from the start. */
export const ITEM_COUNT = 1_000;
/** Characters that the column `name` takes. */
export const NAME_LENGTH_MAX = 255;
/** Largest value of an INT column. */
export const INT_MAX = 2_147_483_647;
const INSERTED_MAX = 10_000;

export interface Item {
  readonly id: number;
  readonly name: string | null;
  /** Cents. */
  readonly price: number | null;
}

/** The item that an id stands for from the start. */
export function initialItem(id: number): Item {
  return { id, name: `item ${id}`, price: (id * 7_919) % 10_000 };
}

/** Fills MariaDB, unless it is filled; the table's own counter goes on after the last item. */
export function insertInitialItems(): string {
  const rows = Array.from({ length: ITEM_COUNT }, (_item, index) => {
    const { id, name, price } = initialItem(index + 1);
    return `(${id}, '${name}', ${price})`;
  });
  return `INSERT IGNORE INTO items (id, name, price) VALUES ${rows.join(', ')}`;
}

/** The table of the embedded database. */
export class ItemTable {
  readonly #inserted = new Map<number, Item>();
  #last = ITEM_COUNT;

  find(id: number): Item | null {
    if (Number.isInteger(id) && id >= 1 && id <= ITEM_COUNT) return initialItem(id);
    return this.#inserted.get(id) ?? null;
  }

  /** Returns the new id. */
  insert(name: string | null, price: number | null): number {
    this.#last += 1;
    this.#inserted.set(this.#last, { id: this.#last, name, price });
    if (this.#inserted.size > INSERTED_MAX) this.#inserted.delete(this.#last - INSERTED_MAX);
    return this.#last;
  }
}
