/**
 * Text from a recording may contain anything: a name may hold a line break, a directive
 * (`!include`), markup (`<img:file>`) or a comment sign. So nothing is passed through but
 * letters, digits and a few signs that mean nothing in either notation; all other characters
 * become what the notation writes for a character by its number.
 */

/** Signs that are harmless one at a time; doubled, some are markup (`--`, `//`, `__`). */
const SIGNS = " .,:()?-/_+'#µ×";
const TEXT_CHARACTERS_MAX = 200;

/** `encode` writes one character by its code point. `unsafe` are signs that it must write too. */
export function escapeText(
  text: string,
  unsafe: string,
  encode: (codePoint: number) => string,
): string {
  const characters = [...text.normalize('NFC')];
  const cut = characters.length > TEXT_CHARACTERS_MAX;
  const shown = cut ? [...characters.slice(0, TEXT_CHARACTERS_MAX), '.', '.'] : characters;
  let before = '';
  let escaped = '';
  for (const character of shown) {
    const doubled = character === before && !/[\p{L}\p{N} .]/u.test(character);
    before = character;
    if (/[\p{L}\p{N}]/u.test(character) || isSign(character, unsafe, doubled)) {
      escaped += character;
    } else {
      escaped += encode(visible(character));
    }
  }
  return escaped;
}

function isSign(character: string, unsafe: string, doubled: boolean): boolean {
  return SIGNS.includes(character) && !unsafe.includes(character) && !doubled;
}

/** Control characters, and those that turn the direction of writing, show as a blank box. */
function visible(character: string): number {
  if (/\p{C}|\p{Z}/u.test(character)) return character === ' ' ? 0x20 : 0x25a1;
  return character.codePointAt(0) ?? 0x25a1;
}
