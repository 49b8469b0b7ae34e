export type { SiteChat, SiteFields, SitePaths } from './api/site.ts';
export { type SiteBackendOptions, siteBackend } from './customer/site-backend.ts';
