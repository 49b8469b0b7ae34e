import { hashPassword, type Operator, Operators, SHELL } from '@chat-realtime/auth-service';
import { requiredText, staffScopeSchema } from '@chat-realtime/protocol';
import { z } from 'zod';
import { type AdminCommand, type AdminContext, AdminRefusal, AdminUsageError } from '../command.ts';

const USAGE =
  'list | add <login> <name> [operator|admin] [all|assigned|own] | password|activate|deactivate|second-factor-off <login> | role <login> operator|admin | scope <login> all|assigned|own';
const MIN_PASSWORD_LENGTH = 8;
const loginSchema = requiredText(200);
const SEES = {
  all: 'every chat',
  assigned: 'the queue and the chats that are theirs',
  own: 'the chats that are theirs',
} as const;
const roleSchema = z.enum(['operator', 'admin']);

async function newPasswordHash({ readSecret }: AdminContext): Promise<string> {
  const password = await readSecret('new password');
  if (password.length < MIN_PASSWORD_LENGTH)
    throw new AdminRefusal(`a password needs at least ${MIN_PASSWORD_LENGTH} characters`);
  return hashPassword(password);
}

interface Wanted {
  readonly name: string;
  readonly role: 'operator' | 'admin';
  readonly scope: z.infer<typeof staffScopeSchema>;
}

/** One change of one account. Everything is read from the command line before anything is opened. */
interface Change {
  readonly login: string;
  /** The announced action. */
  readonly plan: string;
  readonly done: string;
  readonly apply: (accounts: Operators) => Promise<Operator>;
}

const SIGN_INS_END = 'their sign-ins end';

async function add(accounts: Operators, context: AdminContext, login: string, wanted: Wanted): Promise<Operator> {
  const added = await accounts.add({ login, ...wanted, passwordHash: await newPasswordHash(context) }, SHELL);
  if (added === undefined) throw new AdminRefusal(`the login "${login}" is taken`);
  return added;
}

function changeOf(context: AdminContext): Change {
  const [action, givenLogin, value, ...more] = context.args;
  if (givenLogin === undefined) throw new AdminUsageError(`operators ${USAGE}`);
  const login = loginSchema.parse(givenLogin);
  const change = (plan: string, done: string, apply: Change['apply']): Change => ({ login, plan, done, apply });
  switch (action) {
    case 'add': {
      const [role = 'operator', scope = 'all'] = more;
      const wanted = {
        name: requiredText(200).parse(value),
        role: roleSchema.parse(role),
        scope: staffScopeSchema.parse(scope),
      };
      const plan = `adding the ${wanted.role} "${login}", who sees ${SEES[wanted.scope]}`;
      return change(plan, 'added', (accounts) => add(accounts, context, login, wanted));
    }
    case 'password':
      return change(
        `giving "${login}" another password; ${SIGN_INS_END}`,
        'new password, all sign-ins ended',
        async (accounts) => accounts.change(login, { passwordHash: await newPasswordHash(context) }, SHELL),
      );
    case 'activate':
      return change(`letting "${login}" sign in again`, 'activated', (accounts) =>
        accounts.change(login, { active: true }, SHELL),
      );
    case 'deactivate':
      return change(`shutting "${login}" out; ${SIGN_INS_END}`, 'deactivated; connections end within 5 s', (accounts) =>
        accounts.change(login, { active: false }, SHELL),
      );
    case 'second-factor-off':
      return change(`taking the second factor of "${login}" away`, 'no second factor any more', (accounts) =>
        accounts.removeSecondFactor(login),
      );
    case 'role': {
      const role = roleSchema.parse(value);
      return change(`making "${login}" an ${role}; ${SIGN_INS_END}`, 'new role', (accounts) =>
        accounts.change(login, { role }, SHELL),
      );
    }
    case 'scope': {
      const scope = staffScopeSchema.parse(value);
      return change(`letting "${login}" see ${SEES[scope]}; ${SIGN_INS_END}`, 'new scope', (accounts) =>
        accounts.change(login, { scope }, SHELL),
      );
    }
    default:
      throw new AdminUsageError(`operators ${USAGE}`);
  }
}

async function act(context: AdminContext): Promise<{ done: string; found: readonly Operator[] }> {
  const open = async (): Promise<Operators> => new Operators(await context.openDatabase(), () => new Date());
  if (context.args[0] === 'list') return { done: 'operators', found: await (await open()).list() };
  const { login, plan, done, apply } = changeOf(context);
  context.progress(`${plan} …`);
  const accounts = await open();
  // A password would be asked for in vain.
  if (context.args[0] !== 'add' && (await accounts.credentials(login)) === undefined)
    throw new AdminRefusal(`there is no operator "${login}"`);
  return { done, found: [await apply(accounts)] };
}

const line = ({ id, login, role, scope, active, name }: Operator): string =>
  [id, login, role, scope, active ? 'active' : 'inactive', name].join('\t');

export const operators: AdminCommand = {
  async run(context) {
    const { done, found } = await act(context);
    return {
      result: {
        operators: found.map(({ id, login, name, role, scope, active }) => ({ id, login, name, role, scope, active })),
      },
      text: [`${done}:`, ...found.map(line)].join('\n'),
    };
  },
};
