/** Tokens under which the module's parts are injected: explicit, since bundlers and type stripping lose constructor types. */
export const OPERATIONS = Symbol('ChatOperations');
export const ATTACHMENTS = Symbol('Attachments');
export const CALLBACKS = Symbol('Callbacks');
export const DATABASE = Symbol('Database');
export const ALERT_READER = Symbol('AlertReader');
export const IDENTITY = Symbol('Identity');
export const CREDENTIALS = Symbol('ChannelCredentials');
export const SESSION_PROOF = Symbol('SessionProof');
export const WIDGET_CONFIG = Symbol('WidgetConfigSource');
export const VERIFIER = Symbol('TokenVerifier');
export const RATES = Symbol('RequestRates');
export const REVOCATIONS = Symbol('RevocationRefresher');
export const QUICK_REPLIES = Symbol('QuickReplies');
export const SAVED_SETTINGS = Symbol('SavedSettings');
export const BANS = Symbol('Bans');
export const AUDIT = Symbol('AuditLog');
export const ORIGINS = Symbol('OriginPolicy');
