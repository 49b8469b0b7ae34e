import type { ConnectionState } from '../api/connection.ts';
import type { ClientFrame } from '../api/protocol.ts';
import type { ConnectionPort } from '../connection/connection.ts';
import type { Frame, ReadyData } from '../api/transport.ts';

export interface SharedPort extends ConnectionPort {
  /** What a tab that joins needs to know: the cursor reached, marks, presence. */
  readonly summary: () => ReadyData;
  /** An application message from another tab. */
  readonly message: (message: unknown) => void;
}

/** Messages between tabs. */
export type TabMessage =
  | { readonly kind: 'hello' }
  | { readonly kind: 'wake' }
  | {
      readonly kind: 'state';
      readonly connection: ConnectionState;
      readonly ready: ReadyData;
      /** The sender's time. Each page counts from its own beginning. */
      readonly at?: number;
    }
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** An outbound frame of a follower. Tabs of different builds meet here, so the two short names stay. */
  | { readonly kind: 'up'; readonly frame: ClientFrame }
  /** An application message. */
  | { readonly kind: 'told'; readonly message: unknown };
