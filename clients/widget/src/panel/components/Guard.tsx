import { Component, type ComponentChildren } from 'preact';

interface GuardProps {
  /** What is shown in place of children that cannot be drawn. */
  readonly instead: ComponentChildren;
  readonly children: ComponentChildren;
}

/** One message that cannot be drawn, in whatever browser, takes no other with it. */
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
