import { createMetrics } from '@chat-realtime/service-kit';
import { expect, it } from 'vitest';
import { tableObserver } from './table-source/table-source.ts';

it('[TAB9] omits the number of waiting rows while the source cannot be read', async () => {
  const metrics = createMetrics('test');
  const shown = async (name: string) =>
    (await metrics.collect())
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(' ')
      .at(-1);
  const state = async () => [
    await shown('chat_intake_source_connected{'),
    await shown('chat_intake_source_waiting{'),
    await shown('chat_table_source_outbox_age_seconds'),
  ];
  let read = 0;
  const watch = tableObserver(metrics, () => {
    read += 1;
  });
  expect(await state()).toEqual(['0', 'Nan', 'Nan']);
  watch.outbox({ rows: 3, oldestSeconds: 2 });
  watch.connected(true);
  expect(await state()).toEqual(['1', '3', '2']);
  watch.connected(true);
  // Reported each time, since it contains the time that has passed [BES39].
  expect(read).toBe(2);
  watch.connected(false);
  expect(await state()).toEqual(['0', 'Nan', 'Nan']);
  expect(read).toBe(2);
});
