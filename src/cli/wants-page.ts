/** People get a page; programs that read JSON only if they ask for it. */
export function wantsPage({ page, json }: { page?: boolean; json?: boolean }): boolean {
  return page ?? json !== true;
}
