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
  it('is not made if nothing is needed', () => {
    expect(new CatchupDraft(1).finish()).toBeNull();
  });

  it('is made for a head, a page, the feed or a presence report alone', () => {
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

  it('includes revocations, and is made for them alone only if they are needed', () => {
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

  it('names each session once: requested events come with its head', () => {
    const draft = new CatchupDraft(1);
    draft.askHead(4);
    draft.askPage(4, 7);
    draft.askHead(4);
    expect(finished(draft).sessions).toEqual([{ id: 4, after_seq: 7 }]);
  });

  it('requests a head by naming only the session', () => {
    const draft = new CatchupDraft(1);
    draft.askHead(4);
    draft.askPage(5, null);
    draft.askPage(6, 0);
    expect(finished(draft).sessions).toEqual([{ id: 4 }, { id: 5 }, { id: 6, after_seq: 0 }]);
  });
});

describe('a full call', () => {
  it('holds as many pages as the protocol allows, and heads besides', () => {
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

  it('leaves the size of the response to chat-service', () => {
    const draft = new CatchupDraft(1);
    draft.askHead(1);
    expect(finished(draft)).toEqual({ sessions: [{ id: 1 }], limit: 100 });
  });
});

describe('a partial call', () => {
  it('is smaller in every way: sessions, events per session, total bytes', () => {
    const draft = new CatchupDraft(0.25);
    let pages = 0;
    while (draft.hasRoomForPage) draft.askPage((pages += 1), 0);
    expect(pages).toBe(CATCHUP_MAX_SESSIONS / 4);
    expect(finished(draft)).toMatchObject({ limit: 25, max_bytes: 1_048_576 });
  });

  it('requests at least one event of one session, however small it is', () => {
    const draft = new CatchupDraft(1 / 4_096);
    expect(draft.hasRoomForPage).toBe(true);
    draft.askPage(1, 0);
    expect(draft.hasRoomForPage).toBe(false);
    expect(finished(draft)).toMatchObject({ limit: 1 });
  });
});
