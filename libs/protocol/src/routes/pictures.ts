import * as pictures from '../pictures.ts';
import { route, type Route } from './route.ts';

const service = 'chat-service';

/** Pictures of operators. */
export const PICTURE_ROUTES: readonly Route[] = [
  route({
    id: 'putPicture',
    service,
    method: 'PUT',
    path: '/chat/operators/{id}/picture',
    access: 'staff',
    summary: 'Set the picture of an operator: `me`, or for admins anyone',
    body: { schema: pictures.pictureRequestSchema, required: true },
    answers: { 200: { description: 'its address', schema: pictures.pictureResponseSchema } },
  }),
  route({
    id: 'removePicture',
    service,
    method: 'DELETE',
    path: '/chat/operators/{id}/picture',
    access: 'staff',
    summary: 'Remove the picture of an operator',
    answers: { 204: { description: 'there is none now' } },
  }),
  route({
    id: 'getPictures',
    service,
    method: 'GET',
    path: '/chat/pictures',
    access: 'public',
    summary: 'Which of these operators have a picture, and where',
    query: pictures.picturesQuerySchema,
    answers: { 200: { description: 'addresses by operator', schema: pictures.picturesResponseSchema } },
  }),
  route({
    id: 'getPicture',
    service,
    method: 'GET',
    path: '/chat/pictures/{key}',
    access: 'public',
    summary: 'The picture of an operator',
    answers: { 200: { description: 'the file', contentType: 'image/*' } },
    errors: ['not_found'],
  }),
];
