import { Body, ConflictException, Controller, Get, Module, NotFoundException, Post } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { IsString } from 'class-validator';
import { CurrentPrincipal, type Principal, Public, RequireScopes, Roles } from 'gatehouse';

class NewServer {
  @IsString()
  @ApiProperty()
  name!: string;
}

/** Every kind of route that a product may have. */
@Controller('servers')
class ServersController {
  /** Open to everybody. */
  @Get('status')
  @Public()
  status(@CurrentPrincipal() principal?: Principal): { principal: Principal | null } {
    return { principal: principal ?? null };
  }

  /** Without a decorator: for whoever is signed in. */
  @Get('mine')
  mine(@CurrentPrincipal() principal: Principal): { principal: Principal } {
    return { principal };
  }

  /** For administrators. */
  @Post('restart')
  @Roles('admin')
  restart(): { restarted: true } {
    return { restarted: true };
  }

  /** For API keys with the scope, and for people whose role may. */
  @Get()
  @RequireScopes('servers:read')
  list(@CurrentPrincipal() principal: Principal): { principal: Principal } {
    return { principal };
  }

  /** With a body of its own. */
  @Post()
  @RequireScopes('servers:write')
  create(@Body() body: NewServer): { name: string } {
    if (body.name === 'taken') throw new ConflictException('That name is taken.');
    return { name: body.name };
  }

  /** With an error of its own. */
  @Get('lost')
  @RequireScopes('servers:read')
  lost(): never {
    throw new NotFoundException('No server is lost.');
  }
}

/** A whole controller that is open, but for one handler. */
@Public()
@Controller('catalogue')
class CatalogueController {
  @Get()
  list(): string[] {
    return ['small', 'large'];
  }

  @Get('prices')
  @RequireScopes('prices:read')
  prices(): number[] {
    return [1, 2];
  }
}

/** Below the paths of the native API and of the dialects. */
@Public()
@Controller(['api/v1/workflows', 'api/auth/workflows', 'osm/api/workflows'])
class WorkflowsController {
  @Get('lost')
  lost(): never {
    throw new NotFoundException('No workflow is lost.');
  }

  @Get('gone')
  gone(): never {
    throw new NotFoundException();
  }
}

@Module({ controllers: [ServersController, CatalogueController, WorkflowsController] })
export class ServersModule {}
