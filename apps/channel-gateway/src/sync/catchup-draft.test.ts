import {
  CATCHUP_MAX_HEADS,
  CATCHUP_MAX_SESSIONS,
  catchupRequestSchema,
  type CatchupRequest,
} from '@chat-realtime/protocol';
import { describe, expect, it } from 'vitest';
import { CatchupDraft } from './catchup-draft.ts';

function finished(draft: CatchupDraft): CatchupRequest {
  const request = draft.finish();
  if (request === null) throw new Error('the draft asks for nothing');
  return request;
}

describe('a call to chat-service', () => {
  it('is not made where nothing is wanted', () => {
    expect(new CatchupDraft(1).finish()).toBeNull();
  });

  it('is made for a head, a page, the feed or a report of presence alone', () => {
    const parts: ((draft: CatchupDraft) => void)[] = [
      (draft) => draft.askHead(4),
      (draft) => draft.askPage(4, 7),
      (draft) => draft.askFeed({ after: '7', limit: 100 }),
      (draft) => draft.report({ gateway_id: 'a', operators: [] }),
    ];
    for (const ask of parts) {
      const draft = new CatchupDraft(1);
      ask(draft);
      expect(draft.finish()).not.toBeNull();
    }
  });

  it('takes revocations along, and is made for them only where they are needed', () => {
    const idle = new CatchupDraft(1);
    idle.askRevocations(12, false);
    expect(idle.finish()).toBeNull();
    const needed = new CatchupDraft(1);
    needed.askRevocations(12, true);
    expect(finished(needed)).toMatchObject({ revocations_after: 12, sessions: [] });
    const along = new CatchupDraft(1);
    along.askRevocations(12, false);
    along.askHead(4);
    expect(finished(along)).toMatchObject({ revocations_after: 12 });
  });

  it('names each session once: where its events are asked for, its head comes with them', () => {
    const draft = new CatchupDraft(1);
    draft.askHead(4);
    draft.askPage(4, 7);
    draft.askHead(4);
    expect(finished(draft).sessions).toEqual([{ id: 4, after_seq: 7 }]);
  });

  it('asks for a head by naming the session alone', () => {
    const draft = new CatchupDraft(1);
    draft.askHead(4);
    draft.askPage(5, null);
    draft.askPage(6, 0);
    expect(finished(draft).sessions).toEqual([{ id: 4 }, { id: 5 }, { id: 6, after_seq: 0 }]);
  });
});

describe('a full call', () => {
  it('holds as many pages as the protocol allows, and heads beside them', () => {
    const draft = new CatchupDraft(1);
    let pages = 0;
    while (draft.hasRoomForPage) draft.askPage((pages += 1), 0);
    expect(pages).toBe(CATCHUP_MAX_SESSIONS);
    expect(draft.hasRoomForHead).toBe(true);
    draft.askHead(pages + 1);
    expect(catchupRequestSchema.safeParse(finished(draft)).success).toBe(true);
  });

  it('holds as many sessions as the protocol allows, and drops no page for a head', () => {
    const draft = new CatchupDraft(1);
    draft.askPage(1, 0);
    for (let id = 2; id <= CATCHUP_MAX_HEADS + 5; id += 1) draft.askHead(id);
    expect([draft.hasRoomForHead, draft.hasRoomForPage]).toEqual([false, false]);
    const request = finished(draft);
    expect(request.sessions).toHaveLength(CATCHUP_MAX_HEADS);
    expect(request.sessions[0]).toEqual({ id: 1, after_seq: 0 });
    expect(catchupRequestSchema.safeParse(request).success).toBe(true);
  });

  it('leaves the bytes of the answer to chat-service', () => {
    const draft = new CatchupDraft(1);
    draft.askHead(1);
    expect(finished(draft)).toEqual({ sessions: [{ id: 1 }], limit: 100 });
  });
});

describe('a part of a call', () => {
  it('is smaller in every way: sessions, events of each, bytes of all', () => {
    const draft = new CatchupDraft(0.25);
    let pages = 0;
    while (draft.hasRoomForPage) draft.askPage((pages += 1), 0);
    expect(pages).toBe(CATCHUP_MAX_SESSIONS / 4);
    expect(finished(draft)).toMatchObject({ limit: 25, max_bytes: 1_048_576 });
  });

  it('asks for one event of one session at least, however small it is', () => {
    const draft = new CatchupDraft(1 / 4_096);
    expect(draft.hasRoomForPage).toBe(true);
    draft.askPage(1, 0);
    expect(draft.hasRoomForPage).toBe(false);
    expect(finished(draft)).toMatchObject({ limit: 1 });
  });
});
