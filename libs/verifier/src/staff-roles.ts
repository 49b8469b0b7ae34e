import type { StaffScope } from '@chat-realtime/protocol';
import type { JWTPayload } from 'jose';
import type { StaffRole } from './principal.ts';

export interface RoleConfig {
  /** Name of the claim, or a dotted path such as `realm_access.roles`. */
  readonly roleClaim?: string | undefined;
  /** Another system's role → ours. With a map only the roles in it count, including `operator` and `admin`. */
  readonly roleMap?: ReadonlyMap<string, StaffRole> | undefined;
  /** For tokens without the claim. A claim that maps to nothing never falls back to it. */
  readonly defaultRole?: StaffRole | undefined;
}

function isStaffRole(value: string): value is StaffRole {
  return value === 'operator' || value === 'admin';
}

/**
 * Reads `manager:operator,chief:admin`; each entry is split at its last colon, since foreign role names may hold one.
 * @throws Error naming the entry.
 */
export function parseRoleMap(text: string): ReadonlyMap<string, StaffRole> {
  const map = new Map<string, StaffRole>();
  for (const entry of text.split(',')) {
    const trimmed = entry.trim();
    if (trimmed === '') continue;
    const colon = trimmed.lastIndexOf(':');
    const from = trimmed.slice(0, Math.max(colon, 0)).trim();
    const to = trimmed.slice(colon + 1).trim();
    if (from === '' || !isStaffRole(to)) throw new Error(`"${trimmed}" must be <role>:operator or <role>:admin`);
    map.set(from, to);
  }
  return map;
}

function claimAt(payload: JWTPayload, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  let value: unknown = payload;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

function textsOf(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((entry) => typeof entry === 'string');
}

/** The role that a verified token grants, or undefined if it grants none. */
export function staffRole(payload: JWTPayload, config: RoleConfig): StaffRole | undefined {
  const claim = claimAt(payload, config.roleClaim ?? 'role');
  if (claim === undefined) return config.defaultRole;
  let role: StaffRole | undefined;
  for (const text of textsOf(claim)) {
    const mapped = config.roleMap === undefined ? text : config.roleMap.get(text);
    if (mapped === 'admin') return 'admin';
    if (mapped === 'operator') role = 'operator';
  }
  return role;
}

/** `all` if the claim is absent. Of several values the narrowest wins, and an unknown one counts as `assigned`. */
export function staffScope(payload: JWTPayload): StaffScope {
  const claim = payload['scope'];
  if (claim === undefined) return 'all';
  const words = textsOf(claim).flatMap((text) => text.split(' '));
  if (words.includes('own')) return 'own';
  return words.includes('all') && !words.includes('assigned') ? 'all' : 'assigned';
}
