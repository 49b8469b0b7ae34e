// Names that stand in addresses, settings and texts alike.
import type { NotifySettings } from '@chat-realtime/client/staff';

/** Lists of chats. */
export const VIEWS = ['mine', 'unassigned', 'all', 'closed'] as const;
export type ViewName = (typeof VIEWS)[number];

/** Of the administration. */
export const MANAGE_PAGES = ['team', 'rules', 'bans', 'audit', 'notifications', 'account'] as const;
export type ManagePage = (typeof MANAGE_PAGES)[number];

/** Texts of the widget, in the order in which a visitor meets them. */
export const TEXT_NAMES = [
  'title',
  'greeting',
  'replyTime',
  'offlineNote',
  'placeholder',
  'callbackIntro',
  'consent',
] as const;
export type TextName = (typeof TEXT_NAMES)[number];

/** The events an operator may be notified of while they are away. */
export type NotifyEvent = NotifySettings['push'][number];
