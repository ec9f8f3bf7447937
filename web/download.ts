/** Gives the user a file that was made in the page. */
export function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads it when it gets to it.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** A name that every file system takes. */
export function fileName(...parts: readonly string[]): string {
  const safe = parts.join('-').replaceAll(/[^\w.-]+/g, '-');
  return safe.slice(0, 100);
}
