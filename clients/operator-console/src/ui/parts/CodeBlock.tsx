import { CopyButton } from './CopyButton.tsx';

export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <div class="code">
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{code}</code>
      </pre>
      <CopyButton text={code} />
    </div>
  );
}
