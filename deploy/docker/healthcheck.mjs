// Is the process of this container alive? With `--ready`: can it serve?
const path = process.argv.includes('--ready') ? '/readyz' : '/healthz';
const url = `http://127.0.0.1:${process.env.PORT || 8080}${path}`;
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_500) });
  if (!answer.ok) {
    console.error(`${url} answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`${url}: ${error.cause?.message ?? error.message}`);
  process.exitCode = 1;
}
