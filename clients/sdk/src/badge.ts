import type { Badge, BadgeOptions } from './api/staff.ts';
export type { Badge, BadgeCounters, BadgeOptions, BadgeState, StaffToken, StaffTokenProvider } from './api/staff.ts';
export declare function createBadge(options: BadgeOptions): Badge;
