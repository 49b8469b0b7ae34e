import type { Backend } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import type { Challenge } from '../core/challenge.ts';
import type { CreateSessionRequest, CreateSessionResponse } from '../api/protocol.ts';
import { asError, later } from '../errors.ts';
import { exclusively } from '../tabs/exclusively.ts';
import type { Credentials } from './credentials.ts';
import { newResumeKey } from './resume-key.ts';

/**
 * The resume key is stored before the request, so that the request can be repeated after a lost answer and gives the
 * same session. Null: another tab has started it in the meantime, and `credentials` has it.
 */
export async function beginSession(
  environment: Environment,
  lockName: string,
  credentials: Credentials,
  backend: Backend,
  request: CreateSessionRequest,
): Promise<CreateSessionResponse | null> {
  /** `ended`: a key that the server takes no more; another tab may have made the next one already. */
  const key = (ended: string | null = null): Promise<string | null> =>
    exclusively(environment.locks, lockName, async () => {
      const { resume_key: known, id } = await credentials.load();
      if (id === null) credentials.keep({ resume_key: known === ended ? newResumeKey() : known });
      return credentials.stored.resume_key;
    });
  const create = async (resume_key: string | null): Promise<CreateSessionResponse> => {
    const wanted = { ...request, ...(resume_key !== null && { resume_key }) };
    return backend.createSession(wanted).catch(async (error: unknown) => {
      const { code, details } = asError(error);
      if (code !== 'challenge_required') throw error;
      const { solveChallenge } = await later(import('../core/challenge.ts'));
      const { challenge } = details as { challenge: Challenge };
      return backend.createSession({ ...wanted, challenge_solution: await solveChallenge(challenge) });
    });
  };

  const resume_key = await key();
  if (credentials.stored.id !== null) return null;
  const answer = await create(resume_key).catch(async (error: unknown) => {
    if (asError(error).code !== 'bad_credentials') throw error;
    const next = await key(resume_key);
    return credentials.stored.id === null ? create(next) : null;
  });
  if (!answer) return null;
  credentials.keep({ id: answer.session.id, resume_key: answer.resume_key, issued: answer });
  return answer;
}
