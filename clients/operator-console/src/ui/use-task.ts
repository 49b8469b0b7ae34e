import { ChatClientError } from '@chat-realtime/client/staff';
import { useState } from 'preact/hooks';
import { t } from '../i18n/index.ts';

/** The words for a refusal that a page has no words of its own for. */
export function refusalOf(error: ChatClientError): string {
  if (error.code === 'forbidden') return t().noRight;
  if (error.code === 'rate_limited') return t().tooMany;
  if (error.status === 422 && JSON.stringify(error.details ?? '').includes('"consent.version"'))
    return t().manage.consentTaken;
  if (error.status === 422) return t().manage.checkFields;
  return error.status === 409 || error.status === 404 ? t().manage.changedMeanwhile : t().noAnswer;
}

/** One thing at a time: while it runs the buttons wait, and its refusal is said beside them. */
export function useTask(words: (error: ChatClientError) => string = refusalOf) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const run = async (work: () => Promise<void>): Promise<boolean> => {
    setBusy(true);
    setProblem('');
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof ChatClientError)) throw error;
      setProblem(words(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, setProblem, run };
}
