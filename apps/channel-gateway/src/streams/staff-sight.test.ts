import { describe, expect, it } from 'vitest';
import { VirtualGateway } from '../testing/virtual-gateway.ts';

/** Session 1 is boris's, session 2 is olga's; carl sees everything. */
async function sightUnderTest() {
  const gateway = new VirtualGateway();
  const { ledger } = gateway;
  for (const id of [1, 2]) ledger.createSession(id);
  ledger.assign(1, 'boris');
  ledger.assign(2, 'olga');
  const [carl, olga] = [gateway.staff('carl'), gateway.staff('olga/own')];
  await gateway.advance(1_000);
  const shownTo = (client: typeof olga): unknown[] => {
    const users = client.of('chat.presence').at(-1)?.data['users'];
    return Array.isArray(users) ? users.map(({ id, viewing }) => [id, viewing]) : [];
  };
  return { gateway, ledger, carl, olga, shownTo };
}

describe('which session an operator is viewing', () => {
  it('[ASG14] is sent to a narrow scope only for its own sessions', async () => {
    const { gateway, carl, olga, shownTo } = await sightUnderTest();
    carl.send({ type: 'viewing', session_id: 1 });
    await gateway.advance(2_000);
    expect(shownTo(olga)).toEqual([
      ['carl', undefined],
      ['olga', undefined],
    ]);
    carl.send({ type: 'viewing', session_id: 2 });
    await gateway.advance(2_000);
    expect(shownTo(olga)).toEqual([
      ['carl', 2],
      ['olga', undefined],
    ]);
    await gateway.stop();
  });

  it("[ASG14] is sent as soon as the session becomes theirs, and no longer once it is a colleague's", async () => {
    const { gateway, ledger, carl, olga, shownTo } = await sightUnderTest();
    carl.send({ type: 'viewing', session_id: 1 });
    await gateway.advance(2_000);
    ledger.assign(1, 'olga');
    await gateway.advance(2_000);
    expect(shownTo(olga)).toContainEqual(['carl', 1]);
    ledger.assign(1, 'boris');
    await gateway.advance(2_000);
    expect(shownTo(olga)).toContainEqual(['carl', undefined]);
    await gateway.stop();
  });

  it('[ASG14] is no longer sent if the assignment was lost on the live path and read from the feed', async () => {
    const { gateway, ledger, carl, olga, shownTo } = await sightUnderTest();
    carl.send({ type: 'viewing', session_id: 2 });
    await gateway.advance(2_000);
    expect(shownTo(olga)).toContainEqual(['carl', 2]);
    ledger.fault = () => ({ copies: 0, delayMs: 0 });
    ledger.assign(2, 'boris');
    ledger.healthy();
    await gateway.advance(15_000);
    expect(shownTo(olga)).toContainEqual(['carl', undefined]);
    await gateway.stop();
  });

  it('[ASG14] is sent as none as soon as the operator views a session outside the scope', async () => {
    const { gateway, carl, olga, shownTo } = await sightUnderTest();
    // From here on the assignees of both are known.
    for (const id of [1, 2]) {
      olga.send({ type: 'viewing', session_id: id });
      await gateway.advance(2_000);
    }
    expect(shownTo(carl)).toContainEqual(['olga', 2]);
    olga.send({ type: 'viewing', session_id: 1 });
    await gateway.advance(2_000);
    expect(shownTo(carl)).toContainEqual(['olga', undefined]);
    await gateway.stop();
  });

  it('[STF6] is refused for a session that the operator may not see', async () => {
    const { gateway, ledger, carl, olga, shownTo } = await sightUnderTest();
    olga.send({ type: 'viewing', session_id: 1 });
    await gateway.advance(2_000);
    // It is not shown even for a moment.
    expect(JSON.stringify(carl.of('chat.presence'))).not.toContain('"viewing":1');
    // The session becomes theirs while they are viewing it.
    ledger.assign(1, 'olga');
    await gateway.advance(2_000);
    expect(shownTo(carl)).toContainEqual(['olga', 1]);
    await gateway.stop();
  });
});
