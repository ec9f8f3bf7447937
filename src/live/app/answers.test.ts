/** The JSON of items, made by hand. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { itemJson } from './answers.ts';

it('is what JSON.stringify makes, padded to the size that was asked for', () => {
  const item = fc.record({
    id: fc.nat(),
    name: fc.option(fc.oneof(fc.string(), fc.string({ unit: 'binary' }))),
    price: fc.option(fc.integer()),
  });
  fc.assert(
    fc.property(item, fc.integer({ min: 0, max: 600 }), (made, bytes) => {
      const json = itemJson(made, bytes);
      const plain = JSON.stringify({ ...made, padding: '' });
      const size = Math.max(bytes, Buffer.byteLength(plain));
      expect(Buffer.byteLength(json)).toBe(size);
      const { padding, ...rest } = JSON.parse(json);
      expect(rest).toEqual(made);
      expect(padding).toBe('.'.repeat(size - Buffer.byteLength(plain)));
    }),
  );
});
