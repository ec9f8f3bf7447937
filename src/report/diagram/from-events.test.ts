/** From events to a picture: spools, the real ledger, Parquet and back, and the diagram. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Fold } from '../../measure/fold.ts';
import { busyRun } from '../../measure/test-scenario.ts';
import { numbered } from '../../measure/test-support.ts';
import { completeRecording, convertSpools } from '../../recording/convert.ts';
import { prepareRecording } from '../../recording/folder.ts';
import { SpoolWriter, spoolName } from '../../recording/spool.ts';
import { eventBlocks } from '../../stream/event-list.ts';
import { byColumns } from '../../stream/merge.ts';
import { diagramText } from './diagram-text.ts';

it('draws what the ledger found in the events', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'waterhammer-diagram-'));
  try {
    const { info, events } = busyRun();
    await prepareRecording(folder);
    for (const [process, blocks] of eventBlocks(numbered(events))) {
      const spool = new SpoolWriter(join(folder, spoolName(process)));
      for (const block of blocks) spool.write(block);
      await spool.close();
    }
    const conversion = await convertSpools(folder, info, (of, sinks) => {
      const fold = new Fold(of, sinks);
      return { visit: byColumns(fold.event.bind(fold)), finish: () => fold.finish() };
    });
    expect(conversion.events).toBe(events.length);
    await completeRecording(folder, info, null, conversion);

    const which = 'actual';
    const options = { client: '0', format: 'mermaid', which } as const;
    const served = await diagramText(folder, { ...options, requests: [1, 1] });
    const steps = served.split('\n').filter((line) => line.includes('>'));
    expect(steps).toEqual([
      'p1->>p2: 1 (c1)',
      'p2->>p3: 1 (c2)',
      'p3->>p4: 1 (c4)',
      'p4->p5: 1 (c4) same link',
      'p5->>p6: 1 (c5)',
      'p2-->>p1: 200 after 10 ms',
    ]);
    const pending = await diagramText(folder, { ...options, requests: [4, 4] });
    expect(pending).toMatch(
      /p4->p5: 2 \(c13\) same link\nNote over p5: held, unread for 1\.\d s\n/,
    );
    const gaveUp = await diagramText(folder, { ...options, client: '1', requests: [1, 1] });
    expect(gaveUp).toMatch(/held, unread for 1\.5 s\np2-->>p1: 504 after 1\.5 s\n/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
