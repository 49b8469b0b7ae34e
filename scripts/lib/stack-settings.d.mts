export class UnusableSettingError extends Error {
  readonly code: 'unusable_setting';
}
export function stackSettings(env: Readonly<Record<string, string | undefined>>): Promise<Record<string, string>>;
export const SCHEMAS: readonly (readonly [service: string, schema: string])[];
