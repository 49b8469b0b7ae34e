import attachments from './attachments.css?inline';
import base from './base.css?inline';
import composer from './composer.css?inline';
import forms from './forms.css?inline';
import header from './header.css?inline';
import launcher from './launcher.css?inline';
import messages from './messages.css?inline';
import modes from './modes.css?inline';
import peek from './peek.css?inline';
import viewer from './viewer.css?inline';

/** In this order: later styles may override. */
export const css = [base, launcher, header, messages, attachments, composer, forms, viewer, peek, modes].join('');
