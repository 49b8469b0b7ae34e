import type { TopicStore } from '../storage/topics.ts';
import type { GroupMembers } from './members.ts';
import type { GroupMessages } from './group-messages.ts';
import type { GroupWorker } from './worker.ts';

/** The group of the staff with a topic for each chat. */
export interface StaffGroup {
  readonly topics: TopicStore;
  readonly messages: GroupMessages;
  readonly worker: GroupWorker;
  readonly members: GroupMembers;
}
