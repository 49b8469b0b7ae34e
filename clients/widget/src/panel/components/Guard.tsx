import { Component, type ComponentChildren } from 'preact';

interface GuardProps {
  /** Shown in place of children that cannot be drawn. */
  readonly instead: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A message that cannot be drawn, in any browser, does not affect the others. */
export class Guard extends Component<GuardProps, { readonly broken: boolean }> {
  override state = { broken: false };

  override componentDidCatch(error: unknown): void {
    this.setState({ broken: true });
    reportError(error);
  }

  override render({ children, instead }: GuardProps): ComponentChildren {
    return this.state.broken ? instead : children;
  }
}
