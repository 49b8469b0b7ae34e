export interface LeaseRequest {
  /** The limited subject, such as `session:123` or `staff:7`. */
  readonly key: string;
  readonly limit: number;
  /** Connection id: the same holder asking again renews. */
  readonly holder: string;
  /** A second limit over distinct members, such as all operators: holders of one member count once. */
  readonly group?: { readonly key: string; readonly member: string; readonly limit: number };
  /** Connection id whose slot is freed first, if it holds one under the same key. */
  readonly replaces?: string;
}

export type LeaseResult =
  | {
      readonly kind: 'granted';
      /** Holders that lost their slot for this one: replaced, or stale. Their gateways must close them. */
      readonly displaced: readonly string[];
    }
  | { readonly kind: 'refused'; readonly limit: 'key' | 'group' };

/**
 * Connection limits over all gateways. A lease counts only while the heartbeat of its owner (this instance) lives,
 * so the slots of a crashed gateway are free within seconds. While the store is away limits are kept locally.
 */
export interface Leases {
  acquire(request: LeaseRequest): Promise<LeaseResult>;
  release(key: string, holder: string): Promise<void>;
  /** A stale holder (it missed a pong) is displaced before a newcomer is refused. */
  setStale(key: string, holder: string, stale: boolean): Promise<void>;
  /** `cluster`: limits hold over all gateways; `local`: the store is away. */
  readonly mode: 'cluster' | 'local';
  close(): Promise<void>;
}
