import { readdir } from 'node:fs/promises';
import { DatabaseStartError } from '@chat-realtime/database';

/** Major versions of the data folders that lie here, the newest first. */
export async function majorsIn(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  const majors = names.flatMap((name) => /^postgres-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return majors.sort((a, b) => b - a);
}

/**
 * Data of another major version are not read by this one. Beside them a new database would look as if all were gone.
 * @throws DatabaseStartError which says how to bring them over.
 */
export async function refuseOtherMajor(folder: string, major: number): Promise<void> {
  const other = (await majorsIn(folder)).find((found) => found !== major);
  if (other === undefined) return;
  throw new DatabaseStartError(
    other < major
      ? `the data in ${folder} are of PostgreSQL ${other}, and this version of the chat runs PostgreSQL ${major}: npm run admin -- upgrade-data brings them over`
      : `the data in ${folder} are of PostgreSQL ${other}, and this version of the chat runs PostgreSQL ${major}: start the version that wrote them`,
  );
}
