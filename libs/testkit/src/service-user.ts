import { readFileSync } from 'node:fs';

export interface SystemUser {
  uid: number;
  gid: number;
}

/** PostgreSQL refuses to run as root, so root starts it as Debian's postgres user; everyone else starts it as themself. */
export function unprivilegedUser(name: string): SystemUser | null {
  if (process.getuid?.() !== 0) return null;
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([login]) => login === name);
  if (entry === undefined) throw new Error(`there is no system user "${name}"; the postgresql package makes it`);
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}
