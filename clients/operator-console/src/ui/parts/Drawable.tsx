import { Component, type ComponentChildren } from 'preact';

interface DrawableProps {
  /** Shown as plain text where the rest cannot be drawn. */
  readonly instead: string;
  readonly children: ComponentChildren;
}

/** One row that cannot be drawn never takes the list with it. */
export class Drawable extends Component<DrawableProps, { failed: boolean }> {
  override state = { failed: false };
  override componentDidCatch(error: unknown): void {
    this.setState({ failed: true });
    reportError(error);
  }
  override render({ instead, children }: DrawableProps): ComponentChildren {
    return this.state.failed ? (
      <p class="timeline-note" dir="auto">
        {instead}
      </p>
    ) : (
      children
    );
  }
}
