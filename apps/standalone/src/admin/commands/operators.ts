import { hashPassword, type Operator, Operators } from '@chat-realtime/auth-service';
import { requiredText, staffScopeSchema } from '@chat-realtime/protocol';
import { z } from 'zod';
import { type AdminCommand, type AdminContext, AdminRefusal, AdminUsageError } from '../command.ts';

const USAGE =
  'list | add <login> <name> [operator|admin] [all|assigned|own] | password|activate|deactivate|second-factor-off <login> | role <login> operator|admin | scope <login> all|assigned|own';
const MIN_PASSWORD_LENGTH = 8;
const loginSchema = requiredText(200);
const roleSchema = z.enum(['operator', 'admin']);

async function newPasswordHash({ readSecret }: AdminContext): Promise<string> {
  const password = await readSecret('new password');
  if (password.length < MIN_PASSWORD_LENGTH)
    throw new AdminRefusal(`a password needs at least ${MIN_PASSWORD_LENGTH} characters`);
  return hashPassword(password);
}

async function add(accounts: Operators, context: AdminContext, login: string): Promise<Operator> {
  const [, , name, role, scope] = context.args;
  const wanted = {
    login,
    name: requiredText(200).parse(name),
    role: roleSchema.parse(role ?? 'operator'),
    scope: staffScopeSchema.parse(scope ?? 'all'),
  };
  const added = await accounts.add({ ...wanted, passwordHash: await newPasswordHash(context) });
  if (added === undefined) throw new AdminRefusal(`the login "${login}" is taken`);
  return added;
}

async function act(accounts: Operators, context: AdminContext): Promise<{ done: string; found: readonly Operator[] }> {
  const [action, givenLogin, value] = context.args;
  if (action === 'list') return { done: 'operators', found: await accounts.list() };
  if (action === undefined || givenLogin === undefined) throw new AdminUsageError(`operators ${USAGE}`);
  const login = loginSchema.parse(givenLogin);
  // A password would be asked for in vain.
  if (action !== 'add' && (await accounts.credentials(login)) === undefined)
    throw new AdminRefusal(`there is no operator "${login}"`);
  switch (action) {
    case 'add':
      return { done: 'added', found: [await add(accounts, context, login)] };
    case 'password': {
      const passwordHash = await newPasswordHash(context);
      return { done: 'new password, all sign-ins ended', found: [await accounts.change(login, { passwordHash })] };
    }
    case 'activate':
      return { done: 'activated', found: [await accounts.change(login, { active: true })] };
    case 'deactivate':
      return {
        done: 'deactivated; connections end within 5 s',
        found: [await accounts.change(login, { active: false })],
      };
    case 'second-factor-off':
      return { done: 'no second factor any more', found: [await accounts.removeSecondFactor(login)] };
    case 'role':
      return { done: 'new role', found: [await accounts.change(login, { role: roleSchema.parse(value) })] };
    case 'scope':
      return { done: 'new scope', found: [await accounts.change(login, { scope: staffScopeSchema.parse(value) })] };
    default:
      throw new AdminUsageError(`operators ${USAGE}`);
  }
}

const line = ({ id, login, role, scope, active, name }: Operator): string =>
  [id, login, role, scope, active ? 'active' : 'inactive', name].join('\t');

export const operators: AdminCommand = {
  async run(context) {
    const accounts = new Operators(await context.openDatabase(), () => new Date());
    const { done, found } = await act(accounts, context);
    return {
      result: {
        operators: found.map(({ id, login, name, role, scope, active }) => ({ id, login, name, role, scope, active })),
      },
      text: [`${done}:`, ...found.map(line)].join('\n'),
    };
  },
};
