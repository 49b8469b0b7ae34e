import { Component, type ComponentChildren } from 'preact';

interface DrawableProps {
  /** Shown as plain text if the rest cannot be drawn. */
  readonly instead: string;
  readonly children: ComponentChildren;
}

/** A row that cannot be drawn never breaks the list. */
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
