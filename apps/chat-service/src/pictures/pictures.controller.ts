import { pictureRequestSchema, picturesQuerySchema, type PicturesResponse } from '@chat-realtime/protocol';
import { Principal, Public, RequireStaff } from '@chat-realtime/service-kit';
import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Put,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { Pictures } from './pictures.ts';
import { ActorInterceptor } from '../http/actor-interceptor.ts';
import { PICTURES } from '../http/injection.ts';
import { staffActor } from '../http/principals.ts';

const FILE_POLICY = "sandbox; default-src 'none'";
/** A changed picture has another address. */
const CACHE_SECONDS = 31_536_000;
const LIST_CACHE_SECONDS = 60;

/** Pictures of operators, for the console and for the customers they talk to. */
@Controller('chat')
@UseInterceptors(ActorInterceptor)
export class PicturesController {
  readonly #pictures: Pictures;

  constructor(@Inject(PICTURES) pictures: Pictures) {
    this.#pictures = pictures;
  }

  @Put('operators/:id/picture')
  @RequireStaff()
  async put(
    @Principal() principal: Principal,
    @Param('id') id: string,
    @Body({ schema: pictureRequestSchema }) { image }: z.infer<typeof pictureRequestSchema>,
  ) {
    const actor = staffActor(principal);
    return { picture: await this.#pictures.put(actor, id === 'me' ? actor.userId : id, image) };
  }

  @Delete('operators/:id/picture')
  @RequireStaff()
  @HttpCode(204)
  async remove(@Principal() principal: Principal, @Param('id') id: string): Promise<void> {
    const actor = staffActor(principal);
    await this.#pictures.remove(actor, id === 'me' ? actor.userId : id);
  }

  @Get('pictures')
  @Public('what a visitor is shown of the operators they talk with')
  async list(
    @Query({ schema: picturesQuerySchema }) { ids }: z.infer<typeof picturesQuerySchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PicturesResponse> {
    void reply.header('cache-control', `public, max-age=${LIST_CACHE_SECONDS}`);
    return { pictures: await this.#pictures.of(ids.split(',')) };
  }

  @Get('pictures/:key')
  @Public('the bytes of a picture that every visitor may be shown')
  async picture(@Param('key') key: string, @Res() reply: FastifyReply): Promise<void> {
    const { mime, bytes } = await this.#pictures.open(key);
    await reply
      .header('content-type', mime)
      .header('content-security-policy', FILE_POLICY)
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', `public, max-age=${CACHE_SECONDS}, immutable`)
      .send(bytes);
  }
}
