export { createGateway, Gateway, type GatewayOptions } from './gateway.ts';
export { GatewayModule } from './gateway.module.ts';
export { gatewayEnvironment, gatewayVariables, type GatewayConfig, type GatewayEnvironment } from './config.ts';
export type { ChatSource } from './ports.ts';
export { createHttpSource, type HttpSourceOptions } from './http-source.ts';
