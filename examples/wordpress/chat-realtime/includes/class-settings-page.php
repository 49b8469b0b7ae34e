<?php

namespace ChatRealtime;

defined( 'ABSPATH' ) || exit;

/** Settings → Chat Realtime. WordPress's own Settings API checks the nonce and the capability of what is sent. */
final class Settings_Page {
	const SLUG  = 'chat-realtime';
	const GROUP = 'chat_realtime';
	const RIGHT = 'manage_options';
	const CHECK = 'chat_realtime_check';

	public static function hook(): void {
		add_action( 'admin_menu', array( self::class, 'menu' ) );
		add_action( 'admin_init', array( self::class, 'register' ) );
		add_filter( 'plugin_action_links_' . plugin_basename( FILE ), array( self::class, 'links' ) );
	}

	public static function menu(): void {
		add_options_page( 'Chat Realtime', 'Chat Realtime', self::RIGHT, self::SLUG, array( self::class, 'show' ) );
	}

	public static function register(): void {
		register_setting( self::GROUP, Options::PLAIN, array( 'sanitize_callback' => array( Options::class, 'clean' ) ) );
		register_setting( self::GROUP, Options::SECRETS, array( 'sanitize_callback' => array( Options::class, 'clean_secrets' ) ) );
	}

	/**
	 * @param string[] $links
	 * @return string[]
	 */
	public static function links( array $links ): array {
		$address = esc_url( admin_url( 'options-general.php?page=' . self::SLUG ) );
		array_unshift( $links, "<a href=\"$address\">" . esc_html__( 'Settings', 'chat-realtime' ) . '</a>' );
		return $links;
	}

	public static function show(): void {
		if ( ! current_user_can( self::RIGHT ) ) {
			return;
		}
		// phpcs:ignore WordPress.Security.NonceVerification -- WordPress's own mark of a form that was saved; it only shows
		$is_saved = isset( $_GET['settings-updated'] );
		$nonce    = isset( $_GET['_wpnonce'] ) ? sanitize_text_field( wp_unslash( $_GET['_wpnonce'] ) ) : '';
		?>
		<div class="wrap">
			<h1>Chat Realtime</h1>
			<?php
			if ( '' !== Options::address() && ( $is_saved || wp_verify_nonce( $nonce, self::CHECK ) ) ) {
				self::show_check();
			}
			?>
			<form method="post" action="options.php">
				<?php settings_fields( self::GROUP ); ?>
				<table class="form-table" role="presentation">
					<?php
					self::text( 'address', __( 'Address of the chat', 'chat-realtime' ), __( 'Such as https://chat.example.com. Empty: no chat on the site.', 'chat-realtime' ), 'url' );
					self::secret( 'identity', __( 'Customers’ secret', 'chat-realtime' ), __( 'As in IDENTITY_SECRETS: k1:… Makes signed-in users known by name.', 'chat-realtime' ) );
					self::secret( 'staff', __( 'Operators’ secret', 'chat-realtime' ), __( 'As in AUTH_JWT_SECRET. Operators then sign in here.', 'chat-realtime' ) );
					self::roles();
					self::text( 'issuer', __( 'Issuer', 'chat-realtime' ), 'AUTH_ISSUER' );
					self::text( 'audience', __( 'Audience', 'chat-realtime' ), 'AUTH_AUDIENCE' );
					self::text( 'accent', __( 'Colour of the button', 'chat-realtime' ), __( 'Such as #2f5d50. Empty: blue.', 'chat-realtime' ) );
					self::position();
					?>
				</table>
				<?php submit_button(); ?>
			</form>
			<h2><?php esc_html_e( 'Settings of the chat’s server', 'chat-realtime' ); ?></h2>
			<p><?php esc_html_e( 'Copy these lines, put the secrets in, and restart the chat. A new secret: openssl rand -hex 32.', 'chat-realtime' ); ?></p>
			<textarea class="large-text code" rows="9" readonly aria-label="<?php esc_attr_e( 'Settings of the chat’s server', 'chat-realtime' ); ?>"><?php echo esc_textarea( Server_Lines::text() ); ?></textarea>
			<p>
				<a class="button" href="<?php echo esc_url( wp_nonce_url( admin_url( 'options-general.php?page=' . self::SLUG ), self::CHECK ) ); ?>"><?php esc_html_e( 'Check the connection', 'chat-realtime' ); ?></a>
				<?php if ( '' !== Options::address() ) : ?>
					<a class="button" href="<?php echo esc_url( Admin_Bar::console() ); ?>"><?php esc_html_e( 'Open the console', 'chat-realtime' ); ?></a>
				<?php endif; ?>
			</p>
		</div>
		<?php
	}

	private static function show_check(): void {
		$found   = Check::all();
		$is_well = ! in_array( false, array_column( $found, 0 ), true );
		?>
		<div class="notice <?php echo $is_well ? 'notice-success' : 'notice-error'; ?>" id="chat-realtime-check">
			<ul>
				<?php foreach ( $found as list( $one_is_well, $text ) ) : ?>
					<li><span aria-hidden="true"><?php echo $one_is_well ? '✓' : '✗'; ?></span> <?php echo esc_html( $text ); ?></li>
				<?php endforeach; ?>
			</ul>
		</div>
		<?php
	}

	private static function row( string $id, string $label, string $hint, callable $field ): void {
		?>
		<tr>
			<th scope="row"><label for="<?php echo esc_attr( $id ); ?>"><?php echo esc_html( $label ); ?></label></th>
			<td>
				<?php $field(); ?>
				<p class="description" id="<?php echo esc_attr( $id ); ?>-hint"><?php echo esc_html( $hint ); ?></p>
			</td>
		</tr>
		<?php
	}

	private static function text( string $name, string $label, string $hint, string $type = 'text' ): void {
		$id = "chat-realtime-$name";
		self::row(
			$id,
			$label,
			$hint,
			static function () use ( $id, $name, $type ) {
				printf(
					'<input class="regular-text" type="%s" id="%s" aria-describedby="%s-hint" name="%s[%s]" value="%s">',
					esc_attr( $type ),
					esc_attr( $id ),
					esc_attr( $id ),
					esc_attr( Options::PLAIN ),
					esc_attr( $name ),
					esc_attr( Options::get( $name ) )
				);
			}
		);
	}

	/** A stored secret is never printed: the field is empty, and an empty field keeps the secret. */
	private static function secret( string $name, string $label, string $hint ): void {
		$id = "chat-realtime-$name";
		if ( Options::is_constant( $name ) ) {
			/* translators: %s: name of a constant */
			$where = sprintf( __( 'It stands in wp-config.php as %s.', 'chat-realtime' ), Options::constant_name( $name ) );
			self::row(
				$id,
				$label,
				$where,
				static function () use ( $id ) {
					printf( '<input class="regular-text" type="password" id="%s" value="" disabled>', esc_attr( $id ) );
				}
			);
			return;
		}
		self::row(
			$id,
			$label,
			$hint,
			static function () use ( $id, $name ) {
				$is_set = '' !== Options::secret( $name );
				printf(
					'<input class="regular-text" type="password" autocomplete="new-password" id="%s" aria-describedby="%s-hint" name="%s[%s]" value="" placeholder="%s">',
					esc_attr( $id ),
					esc_attr( $id ),
					esc_attr( Options::SECRETS ),
					esc_attr( $name ),
					esc_attr( $is_set ? __( 'Set. Empty keeps it', 'chat-realtime' ) : __( 'Not set', 'chat-realtime' ) )
				);
				if ( $is_set ) {
					printf(
						'<br><label style="display: inline-block; margin-top: 6px"><input type="checkbox" name="%s[remove][]" value="%s"> %s</label>',
						esc_attr( Options::SECRETS ),
						esc_attr( $name ),
						esc_html__( 'Remove', 'chat-realtime' )
					);
				}
			}
		);
	}

	private static function roles(): void {
		$names = array(
			''         => __( 'no access', 'chat-realtime' ),
			'operator' => __( 'operator', 'chat-realtime' ),
			'admin'    => __( 'administrator of the chat', 'chat-realtime' ),
		);
		$kept  = Options::get( 'roles' );
		?>
		<tr>
			<th scope="row"><?php esc_html_e( 'Who answers', 'chat-realtime' ); ?></th>
			<td><fieldset>
				<legend class="screen-reader-text"><?php esc_html_e( 'Who answers', 'chat-realtime' ); ?></legend>
				<?php foreach ( wp_roles()->get_names() as $role => $role_name ) : ?>
					<p style="margin-bottom: 12px">
						<label for="chat-realtime-role-<?php echo esc_attr( $role ); ?>"><?php echo esc_html( translate_user_role( $role_name ) ); ?></label><br>
						<select id="chat-realtime-role-<?php echo esc_attr( $role ); ?>" name="<?php echo esc_attr( Options::PLAIN . "[roles][$role]" ); ?>">
							<?php foreach ( $names as $right => $name ) : ?>
								<option value="<?php echo esc_attr( $right ); ?>" <?php selected( $kept[ $role ] ?? '', $right ); ?>><?php echo esc_html( $name ); ?></option>
							<?php endforeach; ?>
						</select>
					</p>
				<?php endforeach; ?>
			</fieldset></td>
		</tr>
		<?php
	}

	private static function position(): void {
		$names = array(
			'right' => __( 'right', 'chat-realtime' ),
			'left'  => __( 'left', 'chat-realtime' ),
		);
		self::row(
			'chat-realtime-position',
			__( 'Side of the button', 'chat-realtime' ),
			'',
			static function () use ( $names ) {
				printf( '<select id="chat-realtime-position" name="%s[position]">', esc_attr( Options::PLAIN ) );
				foreach ( $names as $side => $name ) {
					printf( '<option value="%s" %s>%s</option>', esc_attr( $side ), selected( Options::get( 'position' ), $side, false ), esc_html( $name ) );
				}
				echo '</select>';
			}
		);
	}
}
