import { z } from 'zod';
import * as audit from './audit.ts';
import * as bans from './bans.ts';
import * as broker from './broker.ts';
import * as channel from './channel.ts';
import * as consent from './consent.ts';
import * as query from './channel-query.ts';
import { errorResponseSchema } from './error-answers.ts';
import * as demo from './demo.ts';
import * as events from './events.ts';
import * as fanout from './fanout.ts';
import * as intake from './intake.ts';
import * as internal from './internal.ts';
import * as trace from './trace.ts';
import * as operatorStatus from './operator-status.ts';
import * as operators from './operators.ts';
import * as pictures from './pictures.ts';
import * as privacy from './privacy.ts';
import * as quickReplies from './quick-replies.ts';
import * as rest from './rest.ts';
import * as rules from './settings-rules.ts';
import * as targets from './alert-targets.ts';
import * as settings from './settings.ts';
import { shadowReportSchema } from './shadow-report.ts';

/** Schemas with their own name in `openapi.json` and `asyncapi.json`; all others are inline. */
export const NAMED_SCHEMAS = {
  Error: errorResponseSchema,
  Session: events.sessionSchema,
  StaffSession: rest.staffSessionSchema,
  SessionOrStaffSession: rest.sessionOrStaffSessionSchema,
  Contact: events.contactSchema,
  Message: events.messageSchema,
  Attachment: events.attachmentSchema,
  Note: events.noteSchema,
  Callback: events.callbackDataSchema,
  StaffCallback: events.callbackStaffSchema,
  SessionEvent: events.sessionEventSchema,
  StaffEvent: events.staffEventSchema,
  EphemeralFrame: events.ephemeralFrameSchema,
  Subscribers: events.subscribersSchema,
  Typing: events.typingDataSchema,
  ReadMarks: events.readDataSchema,
  Badge: events.badgeDataSchema,
  StaffPresence: events.staffPresenceDataSchema,
  CustomerState: channel.customerStateSchema,
  StaffState: channel.staffStateSchema,
  ChannelReady: channel.channelReadyDataSchema,
  ControlFrame: channel.controlFrameSchema,
  CustomerAuthFrame: channel.customerAuthFrameSchema,
  StaffAuthFrame: channel.staffAuthFrameSchema,
  AckFrame: channel.ackFrameSchema,
  TypingFrame: channel.typingFrameSchema,
  ViewingFrame: channel.viewingFrameSchema,
  PingFrame: channel.pingFrameSchema,
  CreateSessionRequest: rest.createSessionRequestSchema,
  CreateSessionResponse: rest.createSessionResponseSchema,
  IdentityRequest: rest.identityRequestSchema,
  IdentityResponse: rest.identityResponseSchema,
  IdentityLogoutRequest: rest.identityLogoutRequestSchema,
  ChannelToken: rest.channelTokenResponseSchema,
  StreamLinkRequest: rest.streamLinkRequestSchema,
  StreamLink: rest.streamLinkResponseSchema,
  PostMessageRequest: rest.postMessageRequestSchema,
  PostMessageResponse: rest.postMessageResponseSchema,
  Messages: rest.messagesResponseSchema,
  Events: rest.eventsResponseSchema,
  ReadRequest: rest.readRequestSchema,
  ReadResponse: rest.readResponseSchema,
  SessionList: rest.sessionListResponseSchema,
  Feed: rest.feedResponseSchema,
  AssignRequest: rest.assignRequestSchema,
  SessionResponse: rest.sessionResponseSchema,
  ContactRequest: rest.contactRequestSchema,
  ContactResponse: rest.contactResponseSchema,
  PageRequest: rest.pageRequestSchema,
  NoteRequest: rest.noteRequestSchema,
  NoteResponse: rest.noteResponseSchema,
  Notes: rest.notesResponseSchema,
  Operators: rest.operatorsResponseSchema,
  PictureRequest: pictures.pictureRequestSchema,
  Picture: pictures.pictureResponseSchema,
  Pictures: pictures.picturesResponseSchema,
  Alerts: rest.alertsResponseSchema,
  AlertWebhook: rest.alertWebhookSchema,
  AlertTestWebhook: targets.alertTestWebhookSchema,
  WebhookTargets: targets.webhookTargetsSchema,
  WebhookTest: targets.webhookTestResponseSchema,
  CallbackRequest: rest.callbackRequestSchema,
  CallbackPatch: rest.callbackPatchSchema,
  CallbackResponse: rest.callbackResponseSchema,
  CustomerCallbackResponse: rest.customerCallbackResponseSchema,
  Callbacks: rest.callbacksResponseSchema,
  ConsentProof: consent.consentProofResponseSchema,
  Config: rest.configResponseSchema,
  QuickReply: quickReplies.quickReplySchema,
  QuickReplies: quickReplies.quickRepliesResponseSchema,
  NewQuickReply: quickReplies.newQuickReplySchema,
  QuickReplyPatch: quickReplies.quickReplyPatchSchema,
  SavedTheme: settings.savedThemeSchema,
  SavedTexts: settings.savedTextsSchema,
  SettingsPatch: settings.settingsPatchSchema,
  Settings: settings.settingsResponseSchema,
  SettingRules: rules.rulesResponseSchema,
  OriginCheck: settings.originCheckResponseSchema,
  OperatorStatusRequest: operatorStatus.operatorStatusRequestSchema,
  OperatorStatus: operatorStatus.operatorStatusResponseSchema,
  HandoverRequest: operatorStatus.handoverRequestSchema,
  Handover: operatorStatus.handoverResponseSchema,
  ChosenStatus: operatorStatus.chosenStatusSchema,
  NewBan: bans.newBanSchema,
  Ban: bans.banSchema,
  BanResponse: bans.banResponseSchema,
  Bans: bans.bansResponseSchema,
  Erased: events.erasedDataSchema,
  SessionExport: privacy.sessionExportSchema,
  CustomerExport: privacy.customerExportSchema,
  SessionOrCustomerExport: privacy.sessionOrCustomerExportSchema,
  EraseRequest: privacy.eraseRequestSchema,
  EraseResponse: privacy.eraseResponseSchema,
  Trace: trace.traceResponseSchema,
  OperatorAccount: operators.operatorAccountSchema,
  OperatorAccounts: operators.operatorAccountsSchema,
  OperatorAccountResponse: operators.operatorAccountResponseSchema,
  NewOperator: operators.newOperatorSchema,
  OperatorPatch: operators.operatorPatchSchema,
  OperatorInvite: operators.operatorInviteSchema,
  PasswordChange: operators.passwordChangeSchema,
  OwnAccount: operators.ownAccountSchema,
  TotpSetup: operators.totpSetupSchema,
  TotpCode: operators.totpCodeSchema,
  TotpEnd: operators.totpEndSchema,
  RecoveryCodes: operators.recoveryCodesSchema,
  SignInWays: operators.signInWaysSchema,
  AuditEntry: audit.auditEntrySchema,
  Audit: audit.auditResponseSchema,
  Demo: demo.demoResponseSchema,
  DemoRemoved: demo.demoRemovedResponseSchema,
  DemoEnded: demo.demoEndedResponseSchema,
  InviteRequest: rest.inviteRequestSchema,
  Invite: rest.inviteResponseSchema,
  AcceptInviteRequest: rest.acceptInviteRequestSchema,
  LoginRequest: rest.loginRequestSchema,
  LoginResponse: rest.loginResponseSchema,
  RefreshRequest: rest.refreshRequestSchema,
  LogoutRequest: rest.logoutRequestSchema,
  AuthUser: rest.authUserSchema,
  Jwks: query.jwksSchema,
  PollResponse: rest.pollResponseSchema,
  AckRequest: rest.ackRequestSchema,
  ShadowReport: shadowReportSchema,
  PlainEvent: intake.plainEventSchema,
  IntakeRequest: intake.intakeRequestSchema,
  IntakeResponse: intake.intakeResponseSchema,
  IntakeSessionsRequest: intake.intakeSessionsRequestSchema,
  IntakeSessions: intake.intakeSessionsResponseSchema,
  CatchupRequest: internal.catchupRequestSchema,
  CatchupSession: internal.catchupSessionSchema,
  CatchupResponse: internal.catchupResponseSchema,
  AcksRequest: internal.acksRequestSchema,
  Revocation: internal.revocationSchema,
  DrainStatus: internal.drainStatusSchema,
  Hops: trace.hopsResponseSchema,
  BrokerEvent: broker.brokerEventSchema,
  BrokerEphemeral: broker.brokerEphemeralSchema,
  GatewayControl: fanout.controlMessageSchema,
} as const satisfies Record<string, z.ZodType>;

export type SchemaName = keyof typeof NAMED_SCHEMAS;

const NAME_BY_SCHEMA = new Map<z.ZodType, string>(
  Object.entries(NAMED_SCHEMAS).map(([name, schema]) => [schema, name]),
);

export function schemaName(schema: z.ZodType): string | undefined {
  return NAME_BY_SCHEMA.get(schema);
}
