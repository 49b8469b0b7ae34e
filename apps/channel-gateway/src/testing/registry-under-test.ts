import { createMemoryLeases, type Leases } from '@chat-realtime/messaging';
import type { CustomerPrincipal, StaffPrincipal } from '@chat-realtime/verifier';
import type { Connection } from '../connections/connection.ts';
import { Registry } from '../connections/registry.ts';
import { VirtualClock } from './virtual-clock.ts';
import { CountingMetrics, SILENT_LOGGER } from './virtual-gateway.ts';

export const FAR_AWAY = 4_000_000_000;

export const customer = (sessionId: number): CustomerPrincipal => ({
  kind: 'customer',
  sessionId,
  createdAt: 0,
  expiresAt: FAR_AWAY,
});

export const operator = (userId: string, scope: StaffPrincipal['scope'] = 'all'): StaffPrincipal => ({
  ...{ kind: 'staff', userId, name: userId, role: 'operator', scope, loginId: null, issuedAt: 0 },
  expiresAt: FAR_AWAY,
});

/** The registry alone, which knows nothing of what its connections follow. */
export function registryUnderTest(leases: Leases = createMemoryLeases()) {
  const clock = new VirtualClock();
  const metrics = new CountingMetrics();
  const detached: Connection[] = [];
  const registry = new Registry({
    clock,
    leases,
    metrics,
    logger: SILENT_LOGGER,
    frameBurst: 20,
    detach: (connection) => detached.push(connection),
    left: () => undefined,
  });
  return { clock, metrics, leases, registry, detached };
}
