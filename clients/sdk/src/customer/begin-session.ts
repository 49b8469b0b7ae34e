import type { Backend } from '../api/backend.ts';
import type { Environment } from '../api/environment.ts';
import type { CreateSessionRequest, CreateSessionResponse } from '../api/protocol.ts';
import { exclusively } from '../tabs/exclusively.ts';
import type { Credentials } from './credentials.ts';
import { newResumeKey } from './resume-key.ts';

/**
 * The resume key is kept before the server is asked, so that a lost answer is asked for again and gives the same session.
 * Null: another tab has begun it meanwhile, and `credentials` know it.
 */
export async function beginSession(
  environment: Environment,
  lockName: string,
  credentials: Credentials,
  backend: Backend,
  request: CreateSessionRequest,
): Promise<CreateSessionResponse | null> {
  const resume_key = await exclusively(environment.locks, lockName, async () => {
    const { resume_key: known, id } = await credentials.load();
    if (id === null) credentials.keep({ resume_key: known ?? newResumeKey() });
    return credentials.stored.resume_key;
  });
  if (credentials.stored.id !== null) return null;
  const answer = await backend.createSession({ ...request, ...(resume_key !== null && { resume_key }) });
  credentials.keep({ id: answer.session.id, resume_key: answer.resume_key, issued: answer });
  return answer;
}
