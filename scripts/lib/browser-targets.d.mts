export const BROWSER_TARGETS: string[];
