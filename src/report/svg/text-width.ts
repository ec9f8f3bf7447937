/**
 * How wide a text will be, without a font to measure it with: by classes of characters, for a
 * sans-serif, on the wide side, so that boxes fit whichever font a reader has.
 */
const NARROW = /[ijlt.,:;'|!()[\] ]/;
const WIDE = /[mwMW@%—]/;

export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const character of text) {
    if (NARROW.test(character)) width += 0.36;
    else if (WIDE.test(character)) width += 0.92;
    else if (/[A-Z]/.test(character)) width += 0.72;
    // East Asian characters and symbols fill a square.
    else width += character > '\u2e80' ? 1.05 : 0.6;
  }
  return width * size;
}

/** Cut to so many characters, with an ellipsis. */
export function shortened(text: string, charactersMax: number): string {
  const characters = [...text];
  if (characters.length <= charactersMax) return text;
  return `${characters.slice(0, charactersMax - 1).join('')}…`;
}

/** Lines of at most so many pixels, broken at spaces; a longer word has a line of its own. */
export function wrapped(text: string, size: number, widthMax: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer, size) > widthMax) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return line === '' ? lines : [...lines, line];
}
