import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from '@chat-realtime/database';

/** Every page is bounded in bytes as well as rows: a hundred longest messages would be megabytes. */
export const PAGE_BYTES = 262_144;
/** The size of a row in an answer apart from its texts: names of fields, ids, times. */
const ROW_BYTES = 400;
/** An attachment's signed address is made when it is rendered and lies in no column. */
const LINK_BYTES = 300;

/**
 * Bytes of an event, about as many as its frame has. The length of a stored text is known without reading it, so rows
 * that are cut off cost nothing; `data` of events is small.
 */
export function eventBytes(alias: string): string {
  return `(${ROW_BYTES} + COALESCE(octet_length(${alias}.body), 0) + COALESCE(octet_length(${alias}.data::text), 0)
    + COALESCE(octet_length(${alias}.staff_data::text), 0)
    + CASE WHEN ${alias}.attachments IS NULL THEN 0
           ELSE octet_length(${alias}.attachments::text) + ${LINK_BYTES} * jsonb_array_length(${alias}.attachments) END)`;
}

/** Bytes of a row whose long parts are these texts of the table `r`. */
export function textBytes(...columns: readonly string[]): RawBuilder<number> {
  return sql.raw(`(${ROW_BYTES}${columns.map((column) => ` + COALESCE(octet_length(r.${column}), 0)`).join('')})`);
}

export interface BoundedRows<Row> {
  readonly rows: readonly Row[];
  /** There are more, by rows or by bytes. */
  readonly more: boolean;
}

interface Page {
  /** The rows in their order, with a LIMIT of one more than `limit`; seen as `r` from here on. */
  readonly rows: RawBuilder<unknown>;
  /** Bytes of `r`. */
  readonly bytes: RawBuilder<unknown>;
  /** The same order once more, of `r`. */
  readonly order: RawBuilder<unknown>;
  readonly limit: number;
  readonly maxBytes?: number;
}

/** As many rows as fit, and at least one, so that following the pages always makes progress. */
export async function boundedRows<Row>(db: Kysely<Tables>, page: Page): Promise<BoundedRows<Row>> {
  const result = await sql<Row & { page_place: number; page_candidates: number }>`
    SELECT * FROM (
      SELECT r.*, row_number() OVER w AS page_place, sum(${page.bytes}) OVER w AS page_running, count(*) OVER () AS page_candidates
        FROM (${page.rows}) r WINDOW w AS (ORDER BY ${page.order} ROWS UNBOUNDED PRECEDING)) bounded
     WHERE page_place = 1 OR (page_running <= ${page.maxBytes ?? PAGE_BYTES}::bigint AND page_place <= ${page.limit}::bigint)
     ORDER BY page_place`.execute(db);
  const candidates = result.rows[0]?.page_candidates ?? 0;
  return { rows: result.rows, more: candidates > result.rows.length };
}
