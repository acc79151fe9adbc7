<?php
/**
 * Calls of a job (interop/call-lines.ts) by PHP's SoapClient, from the WSDLs it names.
 *
 * SoapClient knows no MTOM: it sends base64. An answer that comes as MTOM all the same is unwrapped
 * here, as users of the SNE in PHP do; with `unwrap=off` nothing of ours stands between.
 */
const SERVICES = [
    'rechercheDemandeMulticritere' => 'rechercheDemande',
    'listerTypesEvenementsNationaux' => 'gestionPartageeEvt',
    'listerTypesEvenementsTerritoriaux' => 'gestionPartageeEvt',
    'listerEvenementsDemande' => 'gestionPartageeEvt',
    'ajouterEvenementDemande' => 'gestionPartageeEvt',
    'modifierEvenementDemande' => 'gestionPartageeEvt',
    'supprimerEvenementDemande' => 'gestionPartageeEvt',
];

final class UnwrappingClient extends SoapClient
{
    public function __doRequest($request, $location, $action, $version, $oneWay = false): ?string
    {
        $answer = parent::__doRequest($request, $location, $action, $version, $oneWay);
        if ($answer === null || !preg_match('/^\s*--([^\r\n]+)\r\n/', $answer, $found)) {
            return $answer;
        }
        $root = null;
        $parts = [];
        foreach (explode('--' . $found[1], $answer) as $piece) {
            [$head, $body] = array_pad(explode("\r\n\r\n", $piece, 2), 2, null);
            if ($body === null || !preg_match('/^content-id:\s*<([^>]+)>/mi', $head, $id)) {
                continue;
            }
            $body = substr($body, 0, -2);
            $root ??= $body;
            $parts['cid:' . $id[1]] = $body;
        }
        return preg_replace_callback(
            '~<(?:\w+:)?Include\b[^>]*href="([^"]+)"[^>]*(?:/>|></(?:\w+:)?Include>)~',
            fn ($include) => base64_encode($parts[urldecode($include[1])]),
            $root ?? $answer
        );
    }
}

function oneLine(string $text): string
{
    return trim(preg_replace('/\s+/u', ' ', $text));
}

$settings = [];
$calls = [];
foreach (file($argv[1], FILE_IGNORE_NEW_LINES) as $line) {
    [$key, $value] = explode('=', $line, 2);
    if ($key === 'call') {
        $calls[] = explode("\t", $value);
    } else {
        $settings[$key] = $value;
    }
}

$clients = [];
foreach ($calls as $number => $fields) {
    $operation = array_shift($fields);
    $service = SERVICES[$operation] ?? 'demandeLogement';
    $line = [$operation];
    try {
        $options = [
            'location' => $settings["url.$service"],
            'soap_version' => SOAP_1_2,
            'cache_wsdl' => WSDL_CACHE_NONE,
            'connection_timeout' => 10,
        ];
        if (isset($settings['user'])) {
            $options += ['login' => $settings['user'], 'password' => $settings['password']];
        }
        $class = ($settings['unwrap'] ?? 'on') === 'on' ? UnwrappingClient::class : SoapClient::class;
        $clients[$service] ??= new $class($settings["wsdl.$service"], $options);
        $parameters = [];
        foreach ($fields as $field) {
            [$name, $value] = explode('=', $field, 2);
            if (str_starts_with($value, '@')) {
                $parameters[$name] = ['_' => file_get_contents(substr($value, 1)), 'contentType' => 'text/xml'];
            } elseif (in_array($name, ['motifRadiation', 'statutDalo', 'typeReservataire'], true)) {
                $parameters[$name] = ['code' => $value];
            } else {
                $parameters[$name] = $value;
            }
        }
        $answer = $clients[$service]->__soapCall($operation, [$parameters]);
        $line[] = 'answered';
        foreach (get_object_vars($answer) as $name => $value) {
            if (is_object($value)) {
                $path = "{$settings['out']}/$number-$name";
                file_put_contents($path, $value->_ ?? '');
                $line[] = "$name=@$path";
            } else {
                $line[] = "$name=" . oneLine((string) $value);
            }
        }
    } catch (SoapFault $fault) {
        // Its own troubles, it tells as faults too: « HTTP », « Client » without a namespace of SOAP 1.2.
        $own = in_array($fault->faultcode, ['HTTP', 'WSDL', 'Client', 'Server'], true)
            && !isset($fault->faultcodens);
        $line[] = $own ? 'error' : 'fault';
        $line[] = 'code=' . oneLine((string) $fault->faultcode);
        $line[] = 'text=' . oneLine($fault->getMessage());
    } catch (Throwable $error) {
        $line[] = 'error';
        $line[] = 'text=' . get_class($error) . ': ' . oneLine($error->getMessage());
    }
    echo implode("\t", $line), "\n";
}
